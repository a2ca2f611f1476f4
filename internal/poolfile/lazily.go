package poolfile

import (
	"regexp"
	"sync"
)

// lazily compiles an expression when it is first used: every start of the program
// would pay for it otherwise, and most have no file to read.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
