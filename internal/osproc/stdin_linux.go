package osproc

import "os"

// openStdin makes the pipe to standard input. Only our end does not block.
func openStdin() (theirs end, ours *os.File, err error) {
	r, w, err := pipe()
	if err != nil {
		return end{}, nil, err
	}
	setNonblock(w)
	return end{r + 1}, os.NewFile(uintptr(w), "pipe"), nil
}
