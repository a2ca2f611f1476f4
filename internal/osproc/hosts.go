package osproc

import "sync"

// hosts are those of this program that are open.
var hosts hostSet

type hostSet struct {
	mu  sync.Mutex
	all map[*Host]bool
}

func (s *hostSet) add(h *Host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[*Host]bool{}
	}
	s.all[h] = true
}

func (s *hostSet) remove(h *Host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, h)
}

// only reports whether h is the last one.
func (s *hostSet) only(h *Host) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all) == 1 && s.all[h]
}

// own reports whether pid is some host's own.
func (s *hostSet) own(pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h := range s.all {
		if h.isOwn(pid) {
			return true
		}
	}
	return false
}

// bearing reports whether some host is forking a leader whose number is not known yet.
func (s *hostSet) bearing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h := range s.all {
		if h.isBearing(nil) {
			return true
		}
	}
	return false
}
