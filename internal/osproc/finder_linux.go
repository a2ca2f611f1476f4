package osproc

import "golang.org/x/sys/unix"

// finder tells whose descendant a process is.
type finder struct {
	host  *Host
	table *procTable
	self  int                // this program's process ID
	all   *target            // everything of the engine, if asked for
	byID  map[string]*target // by the ID of its process
	blind bool               // something could not be looked at for want of descriptors
}

// find is what is seen of pid, and if it is of this engine, the ID of the process
// that it descends from: by its group or session, or else by its marks.
func (f *finder) find(pid int) (seen sight, id string) {
	pgid, err := unix.Getpgid(pid)
	if err != nil {
		return nothing, ""
	}
	sid, _ := unix.Getsid(pid)
	for _, number := range [...]int{pgid, sid} {
		if p := f.host.leader(number); p != nil {
			return ours, p.ID
		}
	}
	id, isOurs, err := f.table.owner(pid)
	f.blind = f.blind || err != nil
	if !isOurs {
		return stranger, ""
	}
	return ours, id
}

// target is whose end asks for the end of what was seen, nil if nobody's.
func (f *finder) target(seen sight, id string) *target {
	if seen != ours {
		return nil
	}
	if t := f.byID[id]; t != nil {
		return t
	}
	return f.all
}

// inGroup reports whether pid is in the group of t's leader.
func (f *finder) inGroup(t *target, pid int) bool {
	pgid, err := unix.Getpgid(pid)
	return err == nil && t.process != nil && f.host.leader(pgid) == t.process
}

// hasExited reports whether the process is a zombie or gone: its pidfd is then
// readable (pidfd_open(2)).
func hasExited(pidfd int) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}
