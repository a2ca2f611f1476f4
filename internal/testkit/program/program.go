// Package program makes a test binary a process that does exactly what a test wants to
// see: the binary executes itself as one of the programs here.
package program

import (
	"fmt"
	"os"

	"github.com/procession-go/procession/messages"
)

// Variable names, in the environment, the program that the test binary is to be.
const Variable = "PROCESSION_TEST_HELPER"

// All are the programs that there are, by name. They find their arguments in
// os.Args[1:]. A package adds its own before it calls Main.
var All = map[string]func(){}

// Main is to be called first in TestMain. It returns if the binary is to run its tests.
func Main() {
	name, is := os.LookupEnv(Variable)
	if !is {
		return
	}
	run, known := All[name]
	if !known {
		fmt.Fprintf(os.Stderr, "no program %q\n", name)
		os.Exit(125)
	}
	run()
	os.Exit(0)
}

// Spec is a process that runs a program.
func Spec(name string, args ...string) messages.Spec {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return messages.Spec{Command: self, Args: args, Env: map[string]string{Variable: name}}
}
