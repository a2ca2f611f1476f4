package poolfile

import "slices"

// sortByDependency orders 0 … len(dependencies)-1 so that each comes after those
// that it depends on, and otherwise as they are. Every dependency that closes a
// cycle is ignored for the order and answered with its cycle, whose first and
// last element are the same: each depends on the next.
func sortByDependency(dependencies [][]int) (order []int, cycles [][]int) {
	s := sorter{dependencies: dependencies, states: make([]placement, len(dependencies))}
	for i := range dependencies {
		s.visit(i)
	}
	return s.order, s.cycles
}

// placement is how far the sorter has come with one of them.
type placement uint8

const (
	unseen placement = iota
	onPath           // of the dependencies that are being followed
	placed
)

// sorter follows dependencies depth first.
type sorter struct {
	dependencies [][]int
	states       []placement
	path, order  []int
	cycles       [][]int
}

func (s *sorter) visit(i int) {
	switch s.states[i] {
	case placed:
		return
	case onPath:
		from := slices.Index(s.path, i)
		s.cycles = append(s.cycles, append(slices.Clone(s.path[from:]), i))
		return
	}
	s.states[i] = onPath
	s.path = append(s.path, i)
	for _, on := range s.dependencies[i] {
		s.visit(on)
	}
	s.path = s.path[:len(s.path)-1]
	s.states[i] = placed
	s.order = append(s.order, i)
}
