# SPDX-License-Identifier: MIT
# symbols.awk - from `nm -n` of the monitor to an assembler source with the names of its functions.
# Without input it writes an empty table, for the first link.

BEGIN {
	count = offset = 0
}

$3 ~ /^((init|text)_(start|end)|__x86_indirect_thunk_.*)$/ {
	next
}

$2 ~ /^[tT]$/ && $1 ~ /^ffff8780[4-7]/ {
	address[count] = $1
	name[count++] = $3
}

END {
	print "\t.section .symbols, \"a\""
	print "\t.globl symbol_count, symbol_address, symbol_name, symbol_text"
	print "\t.balign 8\nsymbol_address:"
	for (i = 0; i < count; i++)
		print "\t.long 0x" substr(address[i], 9)
	print "symbol_name:"
	for (i = 0; i < count; i++) {
		print "\t.long " offset
		offset += length(name[i]) + 1
	}
	print "symbol_count:\t.long " count
	print "symbol_text:"
	for (i = 0; i < count; i++)
		print "\t.asciz \"" name[i] "\""
	print "\t.section .note.GNU-stack, \"\", @progbits"
}
