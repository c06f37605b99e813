int main()
{
	for (int n = 0;; n = (n + 1) & 1023)
		;
}
