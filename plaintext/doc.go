// Package plaintext turns the output of a process, raw bytes possibly meant for
// a terminal, into the text that a person would see at the end: no escape
// sequences, progress bars in their last state, each line once.
//
// [String] and [Bytes] do it for a whole text, [Renderer] for a stream. Text
// without control characters other than newline and tab comes back as it is, so
// the result of a second pass is that of the first.
//
// # What is resolved
//
//   - Characters overwrite what is in their cells: after a carriage return or a
//     backspace, what was longer stays until it is erased (EL, ECH, ED). Wide
//     characters take two cells, combining ones none; half of a wide character
//     that was overwritten is blank.
//   - The cursor moves in its line (BS, HT, CUF, CUB, CHA, HPA, HPR, CHT, CBT)
//     and between the last lines (CUU, CUD, CNL, CPL, CUP, HVP, VPA, VPR, IND,
//     RI, NEL, save and restore); lines scroll, in a region too (DECSTBM, SU, SD,
//     IL, DL), and cells shift (ICH, DCH) and repeat (REP).
//   - The alternate screen, where vi and less live, is shown below the rest as
//     long as it is on, and gone when it is left.
//   - The line-drawing characters of DEC terminals come out as such.
//   - Everything else (colours, titles, hyperlinks, modes, device control
//     strings, bells) leaves no trace.
//
// # Decisions
//
//   - LF, VT and FF end a line, with or without a carriage return.
//   - Cells that were never written, or erased, are blanks between characters and
//     nothing at the end of a line. Spaces that were written stay. Lines below
//     the last one that text or a line feed reached are not printed.
//   - A tab stays a tab where it is written past the end of its line; elsewhere
//     it moves the cursor. Tab stops are every 8 columns.
//   - Lines are as long as they are: text does not wrap, for the width of the
//     terminal is not known. A move to column 500 or beyond, as programs use to
//     reach the right margin, goes to column 80.
//   - Invalid UTF-8 is U+FFFD, one per byte. C1 controls count in their UTF-8
//     form (U+0080 to U+009F) alone, as in a terminal that speaks UTF-8; there the
//     five that open a string are dropped alone, so that wrongly encoded text
//     does not swallow what follows it.
//   - A control string (OSC, DCS and so on) lasts until its terminator, the next
//     ESC, CAN or SUB, as in terminals. One that none of them has ended after 4 KiB,
//     or before a newline, is text, but for its ESC: it must not hide what follows.
//   - Erasing the lines that scrolled out (ED 3) does nothing. So does leaving an
//     alternate screen that is not on, as programs do to be sure.
//   - Once something else than ASCII was overwritten in a line, further combining
//     characters on one cell count up to 64 bytes.
//
// # Memory
//
// A [Renderer] holds the last lines, as many as the terminal's height or 100, and
// the finished ones until they are taken, and up to 4 KiB of a control string. However often a line is drawn again, it
// costs what one drawing costs: a byte for each byte, or, where something other
// than ASCII was overwritten, four for each cell.
//
// The sequences are described in ECMA-48 (5th edition, 1991), in "XTerm Control
// Sequences" (ctlseqs) and in console_codes(4).
package plaintext
