package org.glmtuner.executor;

/**
 * What bounds the memory of all processes of a host, a control group or a container together.
 *
 * @param name of the group or container; empty for a host
 * @param freeBytes that its processes can still get, page cache that can be dropped included
 */
record MemoryLimit(Kind kind, String name, long freeBytes) {
  enum Kind {
    HOST("the host"),
    CONTROL_GROUP("the control group"),
    YARN_CONTAINER("the YARN container of executor");

    private final String title;

    Kind(String title) {
      this.title = title;
    }
  }

  /** For people. */
  String title() {
    return name.isEmpty() ? kind.title : kind.title + " " + name;
  }

  /** With the host that it is of. */
  String title(HostIdentity host) {
    return title() + (name.isEmpty() ? " " : " on ") + host.name();
  }

  /** Equal for limits that bound the same processes. */
  String pool(HostIdentity host) {
    return kind == Kind.HOST ? host.machine() : host.node() + " " + kind + " " + name;
  }

  String encode() {
    return kind + ":" + freeBytes + ":" + name;
  }

  static MemoryLimit decode(String text) {
    String[] fields = text.split(":", 3);
    return new MemoryLimit(Kind.valueOf(fields[0]), fields[2], Long.parseLong(fields[1]));
  }
}
