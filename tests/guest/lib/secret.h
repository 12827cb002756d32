/* SPDX-License-Identifier: MIT */
/*
 * secret.h - the pattern that stands for everybody else's data: the monitor fills free memory
 * with it (option debug=secret), the bystander its memory and registers. Who finds it in what he
 * can read has found something that is not his. The low 16 bits count, so that a page of it is no
 * page of one word.
 */
#ifndef TESTS_GUEST_LIB_SECRET_H
#define TESTS_GUEST_LIB_SECRET_H

#define SECRET		0x5ec2e7da7a550000
#define SECRET_IS(word) ((word) >> 16 == SECRET >> 16)

#endif
