package provider

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

const setDumpable = 4 // PR_SET_DUMPABLE

// hideMemory keeps other processes of the same user from reading this one's memory and variables; root still can.
func hideMemory() {
	_, _, _ = syscall.RawSyscall6(syscall.SYS_PRCTL, setDumpable, 0, 0, 0, 0, 0)
}

// leadGroup makes this process the leader of a group of its own, so that its children can be told apart.
func leadGroup() {
	if syscall.Getpgrp() != os.Getpid() {
		_ = syscall.Setpgid(0, 0)
	}
}

// killChildren kills every process of our group and all that descend from us, also those that left the group.
func killChildren() {
	for range 3 { // one that forks meanwhile is seen the next time
		found := children()
		for _, pid := range found {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if len(found) == 0 {
			return
		}
	}
}

func children() []int {
	me, group := os.Getpid(), syscall.Getpgrp()
	all := processes()
	family := map[int]bool{me: true}
	for grown := true; grown; {
		grown = false
		for _, process := range all {
			ours := family[process.parent] || (group == me && process.group == group)
			if ours && !family[process.pid] {
				family[process.pid], grown = true, true
			}
		}
	}
	delete(family, me)
	found := make([]int, 0, len(family))
	for pid := range family {
		found = append(found, pid)
	}
	return found
}

type process struct{ pid, parent, group int }

// processes lists those that live.
func processes() []process {
	names, _ := os.ReadDir("/proc")
	var found []process
	for _, name := range names {
		pid, err := strconv.Atoi(name.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name.Name() + "/stat")
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat)[strings.LastIndexByte(string(stat), ')')+1:])
		if len(fields) < 3 || fields[0] == "Z" || fields[0] == "X" {
			continue
		}
		parent, _ := strconv.Atoi(fields[1])
		group, _ := strconv.Atoi(fields[2])
		found = append(found, process{pid, parent, group})
	}
	return found
}
