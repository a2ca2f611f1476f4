package procession

import "github.com/procession-go/procession/internal/osproc"

// Init is to be called first in the main of a program that uses WithGuardian:
//
//	func main() {
//		if procession.Init() {
//			return
//		}
//		…
//	}
//
// It answers true if this process is not the program but its guardian, which has
// then done its work. It also sees to it that what the program starts inherits no
// blocked signals: if it was itself started with some, it executes itself again
// without them.
func Init() bool { return osproc.Init() }
