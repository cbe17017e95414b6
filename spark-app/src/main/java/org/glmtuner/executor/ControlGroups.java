package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The directories of the control groups that this process is in. */
final class ControlGroups {
  private static final String MEMBERSHIP = "proc/self/cgroup";
  private static final String HIERARCHY = "sys/fs/cgroup";

  /**
   * A group.
   *
   * @param unified whether it is of the second version of control groups
   * @param name its path in the hierarchy
   */
  record Group(boolean unified, Path directory, String name) {}

  private ControlGroups() {}

  /**
   * The groups of a controller, each before the one that it is in, of whatever version. A container
   * may see its own group as the root of the hierarchy, by whatever path the kernel calls it.
   *
   * @param root below which {@code /proc} and {@code /sys} are
   */
  static List<Group> of(Path root, String controller) throws IOException {
    List<Group> groups = new ArrayList<>();
    Path membership = root.resolve(MEMBERSHIP);
    List<String> lines = Files.exists(membership) ? Files.readAllLines(membership) : List.of();
    for (String line : lines) { // number:controllers:path
      String[] fields = line.split(":", 3);
      Path hierarchy = root.resolve(HIERARCHY);
      if (List.of(fields[1].split(",", -1)).contains(controller)) {
        add(false, hierarchy.resolve(controller), fields[2], groups);
      } else if (fields[1].isEmpty()) {
        add(true, hierarchy, fields[2], groups);
      }
    }
    return groups;
  }

  private static void add(boolean unified, Path mount, String path, List<Group> groups) {
    Path group = mount.resolve(path.substring(1)).normalize();
    if (!group.startsWith(mount)) { // of another group's member, as seen from inside one
      group = mount;
    }
    while (group.startsWith(mount)) {
      groups.add(new Group(unified, group, "/" + mount.relativize(group)));
      group = group.getParent();
    }
  }
}
