package poolfile

import (
	"fmt"
	"slices"

	"github.com/procession-go/procession/messages"
)

// Pool is what a file describes.
type Pool struct {
	// Path is the file.
	Path string
	// Processes are in the order of the file. Their names differ.
	Processes []Process
	// Warnings are about what was left out, or is empty, and perhaps not meant to be.
	Warnings Problems
}

// Process is one process of a pool.
type Process struct {
	// Spec is how it runs; Spec.Name is its name in the pool.
	Spec messages.Spec
	// DependsOn is what must hold before it is started, in the order of the file.
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

// Condition is what must have become of a process that another depends on.
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

// String is "started", "ready" or "exited-successfully".
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

// StartOrder is the processes, by their place in Processes, in an order in which
// each comes after those that it depends on, and otherwise that of the file.
// Stopping goes the other way round.
func (p *Pool) StartOrder() []int {
	order, _ := sortByDependency(p.dependencies())
	return order
}

// StopOrder is the reverse of StartOrder.
func (p *Pool) StopOrder() []int {
	order := p.StartOrder()
	slices.Reverse(order)
	return order
}
