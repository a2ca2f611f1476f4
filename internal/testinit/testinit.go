// Package testinit makes a test binary the init of a machine that is there for
// nothing else, so that tests can run on another architecture's kernel: see
// .ci/arm64. Only tests import it.
package testinit

// Variable is what the kernel's command line must set for [Boot] to be init. The
// kernel hands to init what it does not know itself: "NAME=value" as a variable, and
// what follows "--" as arguments.
const Variable = "PROCESSION_TEST_INIT"
