// Command parley is a chat server and its tools. Start reading at package cli.
package main

import "parley/internal/cli"

func main() { cli.Main() }
