package flags

import (
	"fmt"
	"math"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/procession-go/procession"
)

// Size is a number of bytes, or procession.Unlimited.
type Size int64

// Set reads "64KiB", "1 MB", "4096" or "unlimited".
func (s *Size) Set(text string) error {
	if text == "unlimited" {
		*s = Size(procession.Unlimited)
		return nil
	}
	n, err := humanize.ParseBytes(text)
	switch {
	case err != nil || text == "":
		return fmt.Errorf("want a size such as 64KiB or 1MiB, or unlimited")
	case n == 0 || n > math.MaxInt64:
		return fmt.Errorf("want at least 1 byte, and less than 8 EiB")
	}
	*s = Size(n)
	return nil
}

// String is the size in the form that Set reads.
func (s *Size) String() string {
	if int64(*s) == procession.Unlimited {
		return "unlimited"
	}
	return strings.ReplaceAll(humanize.IBytes(uint64(*s)), " ", "")
}

// Type is what the help calls the value.
func (*Size) Type() string { return "size" }
