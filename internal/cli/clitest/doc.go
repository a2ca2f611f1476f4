// Package clitest is what the tests of the command line need: they run it as it is, which
// is the test binary itself, executed again. Tests use it from packages of their own
// (package up_test), because it imports all of the command line.
package clitest
