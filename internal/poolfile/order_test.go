package poolfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSortByDependency(t *testing.T) {
	for _, test := range []struct {
		name         string
		dependencies [][]int
		order        []int
		cycles       [][]int
	}{
		{"nothing", nil, nil, nil},
		{"independent ones stay as they are", [][]int{nil, nil, nil}, []int{0, 1, 2}, nil},
		{"what is in order stays", [][]int{nil, {0}, {0, 1}, {2}}, []int{0, 1, 2, 3}, nil},
		{"a dependency comes first", [][]int{{2}, nil, nil}, []int{2, 0, 1}, nil},
		{"a diamond", [][]int{{1, 2}, {3}, {3}, nil}, []int{3, 1, 2, 0}, nil},
		{"itself", [][]int{{0}}, []int{0}, [][]int{{0, 0}}},
		{"two", [][]int{{1}, {0}}, []int{1, 0}, [][]int{{0, 1, 0}}},
		{"a cycle behind a tail", [][]int{{1}, {2}, {3}, {1}}, []int{3, 2, 1, 0}, [][]int{{1, 2, 3, 1}}},
		{"two cycles", [][]int{{1}, {0}, {2}}, []int{1, 0, 2}, [][]int{{0, 1, 0}, {2, 2}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			order, cycles := sortByDependency(test.dependencies)
			if len(test.order) == 0 {
				assert.Empty(t, order)
			} else {
				assert.Equal(t, test.order, order)
			}
			assert.Equal(t, test.cycles, cycles)
		})
	}
}

// acyclic draws dependencies without a cycle, and an order that respects them.
func acyclic(t *rapid.T) (dependencies [][]int, hidden []int) {
	n := rapid.IntRange(1, 12).Draw(t, "processes")
	hidden = rapid.Permutation(upTo(n)).Draw(t, "order")
	dependencies = make([][]int, n)
	for later := range hidden {
		for earlier := range later {
			if rapid.IntRange(0, 3).Draw(t, "depends") == 0 {
				dependencies[hidden[later]] = append(dependencies[hidden[later]], hidden[earlier])
			}
		}
	}
	return dependencies, hidden
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestEveryAcyclicGraphHasAnOrderThatRespectsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dependencies, _ := acyclic(t)
		order, cycles := sortByDependency(dependencies)
		require.Nil(t, cycles, "cycles in %v", dependencies)
		checkOrder(t, order, dependencies)
	})
}

func checkOrder(t *rapid.T, order []int, dependencies [][]int) {
	require.ElementsMatch(t, upTo(len(dependencies)), order)
	for i, on := range dependencies {
		for _, d := range on {
			require.LessOrEqual(t, slices.Index(order, d), slices.Index(order, i), "order %v: %d depends on %d", order, i, d)
		}
	}
}

func TestAnOrderThatIsRightStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "processes")
		dependencies := make([][]int, n)
		for i := 1; i < n; i++ {
			dependencies[i] = rapid.SliceOfDistinct(rapid.IntRange(0, i-1), rapid.ID).Draw(t, "dependencies")
		}
		order, _ := sortByDependency(dependencies)
		require.Equal(t, upTo(n), order, "of %v", dependencies)
	})
}

// poolOf is a file of processes p0, p1, … that depend on each other.
func poolOf(dependencies [][]int) string {
	var b strings.Builder
	b.WriteString("processes:\n")
	for i, on := range dependencies {
		fmt.Fprintf(&b, "  p%d:\n    command: true\n    depends_on: [", i)
		for j, d := range on {
			if j > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "p%d", d)
		}
		b.WriteString("]\n")
	}
	return b.String()
}

func TestEveryCyclicGraphIsRefusedWithARealCycle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dependencies, hidden := acyclic(t)
		// A path from the first to the last, and back.
		from := rapid.IntRange(0, len(hidden)-1).Draw(t, "from")
		to := rapid.IntRange(from, len(hidden)-1).Draw(t, "to")
		closing := append(slices.Clone(hidden[from:to+1]), hidden[from])
		for i := 1; i < len(closing); i++ {
			if later, on := closing[i], closing[i-1]; !slices.Contains(dependencies[later], on) {
				dependencies[later] = append(dependencies[later], on)
			}
		}
		_, err := parseYAML(source{path: "p.yaml", data: []byte(poolOf(dependencies))})
		var problems Problems
		require.ErrorAs(t, err, &problems, "%v was not refused", dependencies)
		require.NotEmpty(t, problems, "%v was not refused", dependencies)
		for _, p := range problems {
			_, path, _ := strings.Cut(p.Text, "each other: ")
			names := strings.Split(path, " → ")
			require.GreaterOrEqual(t, len(names), 2, "%q is no cycle", p)
			require.Equal(t, names[0], names[len(names)-1], "%q is no cycle", p)
			for i := 1; i < len(names); i++ {
				var a, b int
				fmt.Sscanf(names[i-1]+" "+names[i], "p%d p%d", &a, &b)
				require.Contains(t, dependencies[a], b, "%q: %s does not depend on %s", p, names[i-1], names[i])
			}
			require.Equal(t, 3*atoi(names[len(names)-2][1:])+4, p.Line, "the line of %q", p)
		}
	})
}

func atoi(s string) (n int) {
	fmt.Sscan(s, &n)
	return n
}
