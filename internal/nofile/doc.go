// Package nofile has the soft limit on open descriptors that this program was
// started with. Package syscall raises it when it is initialized, and restores it
// in the children that it starts itself (golang/go#46279), but does not export it.
//
// Packages are initialized in the order of their import paths as far as their imports
// allow (Go specification, "Program initialization"). This one imports nothing that
// package syscall is needed for, and comes before it in that order. So it must not
// import anything but unsafe.
package nofile
