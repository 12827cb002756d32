// SPDX-License-Identifier: MIT
/* serial.c - 16550 UARTs, polled: 8 registers from a base port, PC16550D data sheet section 8. */
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/serial.h"
#include "lib/compiler.h"

enum { DATA = 0, INTERRUPTS = 1, FIFO = 2, LINE = 3, MODEM = 4, STATUS = 5, SCRATCH = 7 };

#define LINE_8N1	  0x03
#define LINE_DIVISOR	  0x80
#define FIFO_ON_CLEARED	  0x07
#define MODEM_DTR_RTS	  0x03
#define STATUS_RECEIVED	  0x01
#define STATUS_SEND_EMPTY 0x20
#define STATUS_SEND_DONE  0x40 /* the FIFO and the shift register behind it */
#define FIFO_SIZE	  16
#define SEND_TRIES	  1000000 /* about a second: the other end may have gone for good */

static struct {
	u16 base;      /* (c) */
	bool present;  /* (c) */
	unsigned room; /* of the FIFO, as far as we know; a wrong value only loses a character */
} ports[SERIAL_COUNT] = {{.base = 0x3f8}, {.base = 0x2f8}};

static bool is_present(u16 base)
{
	outb(base + SCRATCH, 0x5a);
	if (inb(base + SCRATCH) != 0x5a)
		return false;
	outb(base + SCRATCH, 0xa5);
	return inb(base + SCRATCH) == 0xa5;
}

__init void serial_init(void)
{
	for (int i = 0; i < SERIAL_COUNT; i++) {
		u16 base = ports[i].base;

		ports[i].present = is_present(base);
		if (!ports[i].present)
			continue;
		outb(base + INTERRUPTS, 0);
		outb(base + LINE, LINE_DIVISOR | LINE_8N1);
		outb(base + DATA, 1); /* 115200 */
		outb(base + INTERRUPTS, 0);
		outb(base + LINE, LINE_8N1);
		outb(base + FIFO, FIFO_ON_CLEARED);
		outb(base + MODEM, MODEM_DTR_RTS);
	}
}

static void send(enum serial_port port, char c)
{
	u16 base = ports[port].base;

	for (int i = 0; !ports[port].room && i < SEND_TRIES; i++)
		if (inb(base + STATUS) & STATUS_SEND_EMPTY)
			ports[port].room = FIFO_SIZE;
	if (!ports[port].room)
		return;
	ports[port].room--;
	outb(base + DATA, (u8)c);
}

void serial_write(enum serial_port port, const char *text, size_t size)
{
	if (!ports[port].present)
		return;
	for (; size--; text++) {
		if (*text == '\n' && port == SERIAL_COM1)
			send(port, '\r');
		send(port, *text);
	}
}

void serial_drain(void)
{
	for (int i = 0; i < SERIAL_COUNT; i++)
		for (int n = 0; ports[i].present && n < SEND_TRIES; n++)
			if (inb(ports[i].base + STATUS) & STATUS_SEND_DONE)
				break;
}

int serial_read(enum serial_port port)
{
	u16 base = ports[port].base;

	if (!ports[port].present || !(inb(base + STATUS) & STATUS_RECEIVED))
		return -1;
	return inb(base + DATA);
}
