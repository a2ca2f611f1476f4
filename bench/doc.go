// Package bench compares the engine with plain os/exec, with a bare read loop,
// and with github.com/go-cmd/cmd, on the same work in the same run:
//
//	go test -run '^$' -bench . ./bench                  # everything, about four minutes
//	go test -run '^$' -bench . -short ./bench           # smaller, about a minute
//	go test -run '^$' -bench Zero ./bench -bytes 4G     # more bytes
//
// Every line is one comparison. Its sides take turns, in rounds of another order
// each, and a figure is the median over the rounds, so that what else the
// machine does meets all sides alike. A benchmark is one iteration, of as many
// rounds as it needs; -benchtime 5x asks for five times as many.
//
// The output can be read by benchstat. What the units mean:
//
//	rounds       how many rounds there were
//	ratio        how fast the engine is, relative to the baseline: 1 is as fast
//	cost-ratio   what it costs, relative to the baseline: 1 is as much
//	…-p25, …-p75 the quartiles of the same over the rounds
//	goal         what the ratio (or the figure that the benchmark's comment
//	             names) must reach, or must not exceed
//	plain-…      the same figure of the baseline
//	go-cmd-…     the same of github.com/go-cmd/cmd
//
// Folder soak has tests that run for as long as one likes.
package bench
