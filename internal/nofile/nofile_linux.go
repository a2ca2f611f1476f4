//go:build linux && (amd64 || arm64)

package nofile

// Original is the soft limit that this program was started with, and Raised what package
// syscall makes of it; both 0 if that is not known. After that nothing changes them.
var Original, Raised = read()

func read() (original, raised uint64) {
	var limit [2]uint64 // soft, hard
	if getLimit(&limit) != 0 {
		return 0, 0
	}
	if limit[1] == 0 {
		return limit[0], limit[0]
	}
	return limit[0], max(limit[0], limit[1]-1)
}

// getLimit is prlimit64(0, RLIMIT_NOFILE, NULL, limit).
//
//go:noescape
func getLimit(limit *[2]uint64) (errno uintptr)
