// Package supervisor holds the decisions about failure, as functions of data: when
// a process is started again (Policy), what happens to an actor that panics
// (Strategy), and how a process is ended (Stop). Nothing here starts, signals or
// waits for anything.
package supervisor
