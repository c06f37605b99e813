/* The cheapest program there is: what a run of it costs is what the sandbox costs. */
int main(void)
{
	return 0;
}
