import sys


def main():
    lines = sys.stdin.read().split()
    for i in range(int(lines[0])):
        print(int(lines[1 + 2 * i]) + int(lines[2 + 2 * i]))


main()
