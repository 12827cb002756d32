/* SPDX-License-Identifier: MIT */
/* serial.h - the two serial ports, 115200 8n1, polled. */
#ifndef CPU_SERIAL_H
#define CPU_SERIAL_H

#include "lib/types.h"

enum serial_port { SERIAL_COM1, SERIAL_COM2, SERIAL_COUNT };

void serial_init(void);
void serial_drain(void); /* until all that was written has left, or a second has passed */
/* A port that is not there takes all and gives nothing. A newline is sent as CR LF to COM1, which
 * has a terminal behind it, and as LF to COM2, which has a file. */
void serial_write(enum serial_port port, const char *text, size_t size);
int serial_read(enum serial_port port); /* a byte, or -1 */

#endif
