package tty

// Disabled is the character that stands for none.
const Disabled = 0

// Interrupts reports false: there are no signals, and a Ctrl-C reaches all processes of
// the console.
func Interrupts() bool { return false }
