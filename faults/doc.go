// Package faults has no code of its own: its tests are the faults that Procession
// must survive, each done for real. The slow ones are run with
//
//	go test ./faults -slow
package faults
