// SPDX-License-Identifier: MIT
/* debuggee.c - something to debug: a function that is called three times and changes a variable. */

volatile int counter;

static void __attribute__((noinline)) step(int by)
{
	counter += by;
}

int main(void)
{
	for (int i = 1; i <= 3; i++)
		step(i);
	return counter != 6;
}
