// Package testkit is what the tests of several packages need. What it says about the
// machine owes nothing to the product's code.
package testkit
