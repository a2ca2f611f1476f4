package enginetest

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/procession-go/procession"
)

// Quick is a restart policy that does not make a test wait.
var Quick = procession.Policy{When: procession.OnFailure, MinBackoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond}

// Counting is a shell that counts its runs in a file, prints the number of this one, and
// goes on with cases: the inside of a case statement about the number.
func Counting(t testing.TB, cases string) procession.Spec {
	t.Helper()
	file := filepath.Join(t.TempDir(), "runs")
	return procession.Shell(fmt.Sprintf(`echo x >>%q; n=$(wc -l <%q | tr -d ' '); echo run $n; case $n in %s esac`, file, file, cases))
}
