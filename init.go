package procession

import "github.com/procession-go/procession/internal/osproc"

// Init must be the first call in the main function of a program that uses
// WithGuardian, and in the TestMain of its tests:
//
//	func main() {
//		if procession.Init() {
//			return
//		}
//		…
//	}
//
// Init returns true if this process is not the program itself but its guardian,
// whose work is then done. Init also makes sure that the processes which the
// program starts inherit no blocked signals: a program that was started with
// blocked signals is executed once more without them.
func Init() bool { return osproc.Init() }
