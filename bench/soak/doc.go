// Package soak is a test that ill-treats an engine for as long as one likes, and
// then looks for what is left:
//
//	go test ./bench/soak                          # three seconds
//	go test ./bench/soak -v -soak                 # two minutes
//	go test -race -timeout 0 ./bench/soak -v -soak=10m
package soak
