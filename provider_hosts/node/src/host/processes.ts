/** Processes that the author's code started: none outlives the sidecar. */
import { readdirSync, readFileSync } from "node:fs";

interface Known {
  pid: number;
  parent: number;
  group: number;
}

/** Kills every process of our group, when we lead it, and all that descend from us, also those that left the group. */
export function killChildren(): void {
  // One that forks meanwhile is seen the next time.
  for (let round = 0; round < 3; round++) {
    const children = children_();
    for (const pid of children) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
    if (!children.size) return;
  }
}

function children_(): Set<number> {
  const all = living();
  const leads = all.some(({ pid, group }) => pid === process.pid && group === process.pid);
  const found = new Set(leads ? all.filter(({ group }) => group === process.pid).map(({ pid }) => pid) : []);
  const family = new Set([process.pid]);
  for (let size = 0; size !== family.size;) {
    size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  for (const pid of family) found.add(pid);
  found.delete(process.pid);
  return found;
}

/** Living processes; none where there is no /proc. */
function living(): Known[] {
  const found: Known[] = [];
  let names: string[] = [];
  try {
    names = readdirSync("/proc");
  } catch {
    return found;
  }
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (!"ZX".includes(state!)) found.push({ pid: Number(name), parent: Number(parent), group: Number(group) });
    } catch {
      // It has ended.
    }
  }
  return found;
}
