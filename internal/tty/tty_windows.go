package tty

// Interrupts reports false: there are no signals, and a Ctrl-C reaches all processes of
// the console.
func Interrupts() bool { return false }
