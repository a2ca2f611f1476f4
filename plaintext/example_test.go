package plaintext_test

import (
	"fmt"

	"github.com/procession-go/procession/plaintext"
)

func ExampleString() {
	fmt.Println(plaintext.String("\x1b[32mfetching\x1b[0m 10%\r\x1b[32mfetching\x1b[0m 99%\r\x1b[Kdone"))
	// Output: done
}

func ExampleRenderer() {
	r := plaintext.Renderer{Rows: 1} // lines are finished once they end
	for _, piece := range []string{"one\r", "\ntwo 10", "%\rtwo 1", "00%\nthr", "ee"} {
		r.Write([]byte(piece))
		fmt.Printf("%q then %q\n", r.Lines(), r.Rest())
	}
	// Output:
	// "" then "one"
	// "one\n" then "two 10"
	// "" then "two 10%"
	// "two 100%\n" then "thr"
	// "" then "three"
}
