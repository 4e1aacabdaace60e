# Prints the targets of a Makefile with their "## what it does", under their "##@ group".
BEGIN { FS = ":.*## "; print "usage: make <target>" }
/^##@ / { printf "\n%s\n", substr($0, 5) }
/^[a-z-]+:.*## / { printf "  %-12s %s\n", $1, $2 }
