/* SPDX-License-Identifier: MIT */
/* image.S - the user image within the kernel: processes execute these very pages. */
	.section .rodata.user_image, "a", @progbits
	.balign 4096
	.globl user_image, user_image_end
user_image:
	.incbin "guests/tour-user.bin"
user_image_end:
	.balign 4096

	.section .note.GNU-stack, "", @progbits
