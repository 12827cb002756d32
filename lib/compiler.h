/* SPDX-License-Identifier: MIT */
/* compiler.h - what we ask of the compiler beyond the language, and arithmetic that it folds. */
#ifndef LIB_COMPILER_H
#define LIB_COMPILER_H

#define __packed       __attribute__((packed))
#define __aligned(n)   __attribute__((aligned(n)))
#define __section(s)   __attribute__((section(s)))
#define __noreturn     __attribute__((noreturn))
#define __must_check   __attribute__((warn_unused_result))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define __noinline     __attribute__((noinline))
#define __force_inline inline __attribute__((always_inline))
#define __cold	       __attribute__((cold, noinline))
/* For boot alone: its memory is given to guests before the first of them runs. */
#define __init	       __attribute__((section(".text.init"), cold))
#define __uninitialized __attribute__((uninitialized))
#define likely(x)      __builtin_expect(!!(x), 1)
#define unlikely(x)    __builtin_expect(!!(x), 0)

#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)	 ((a) < (b) ? (a) : (b))
#define MAX(a, b)	 ((a) > (b) ? (a) : (b))
#define ALIGN_UP(x, n)	 (((x) + (n)-1) & ~((__typeof__(x))(n)-1))
#define ALIGN_DOWN(x, n) ((x) & ~((__typeof__(x))(n)-1))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* One load or store, neither torn nor repeated: for words that another CPU or a guest also writes.
 * */
#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/* 0 if number >= count, else all ones, without a branch that could be predicted wrongly. */
static inline unsigned long index_mask(unsigned long number, unsigned long count)
{
	unsigned long mask;

	__asm__("cmp %2, %1; sbb %0, %0" : "=r"(mask) : "r"(number), "r"(count) : "cc");
	return mask;
}

#endif
