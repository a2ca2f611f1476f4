package poolfile

import (
	"fmt"
	"slices"

	"github.com/procession-go/procession/messages"
)

// Pool is the pool that a file describes.
type Pool struct {
	// Path is the path of the file.
	Path string
	// Processes are in the order of the file. Their names differ.
	Processes []Process
	// Warnings are about what was left out or is empty, perhaps by mistake.
	Warnings Problems
}

// Process is one process of a pool.
type Process struct {
	// Spec says how it runs. Spec.Name is its name in the pool.
	Spec messages.Spec
	// DependsOn are the conditions that must hold before it is started, in the
	// order of the file.
	DependsOn []Dependency
	// Line is where in the file it is described, counted from 1.
	Line int
}

// Dependency is a condition on another process of the pool.
type Dependency struct {
	Name      string
	Condition Condition
	Line      int
}

// Condition is what must be true of a process before another one, which depends on
// it, is started.
type Condition uint8

const (
	// Started: its program runs, or has run.
	Started Condition = iota
	// Ready: it has become ready.
	Ready
	// ExitedSuccessfully: it has ended, and returned 0.
	ExitedSuccessfully
)

var conditions = []string{"started", "ready", "exited-successfully"}

// String returns "started", "ready" or "exited-successfully".
func (c Condition) String() string {
	if int(c) < len(conditions) {
		return conditions[c]
	}
	return fmt.Sprintf("unknown(%d)", c)
}

// index finds processes by name.
func (p *Pool) index() map[string]int {
	index := make(map[string]int, len(p.Processes))
	for i := range p.Processes {
		index[p.Processes[i].Spec.Name] = i
	}
	return index
}

// dependencies are, for each process, the processes that it depends on. Names
// that are unknown are left out.
func (p *Pool) dependencies() [][]int {
	index := p.index()
	all := make([][]int, len(p.Processes))
	for i := range p.Processes {
		for _, d := range p.Processes[i].DependsOn {
			if on, known := index[d.Name]; known {
				all[i] = append(all[i], on)
			}
		}
	}
	return all
}

// StartOrder returns the order in which to start the processes, as indexes of
// Processes: each comes after those that it depends on, and otherwise in the order of
// the file.
func (p *Pool) StartOrder() []int {
	order, _ := sortByDependency(p.dependencies())
	return order
}

// StopOrder returns the reverse of StartOrder.
func (p *Pool) StopOrder() []int {
	order := p.StartOrder()
	slices.Reverse(order)
	return order
}
