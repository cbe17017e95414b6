package org.glmtuner.executor;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** TCP over IPv4 and IPv6 of a process, as the kernel sees it. */
record TcpSockets(List<Socket> listening, List<Socket> connected) {
  private static final String ESTABLISHED = "01";
  private static final String LISTENS = "0A";

  record Socket(InetAddress address, int port, int peerPort) {}

  static TcpSockets of(long pid) throws IOException {
    return of(Path.of("/proc/" + pid));
  }

  /** As the other, of a process that is described below a directory. */
  static TcpSockets of(Path process) throws IOException {
    Set<String> own = OpenFiles.of(process);
    TcpSockets result = new TcpSockets(new ArrayList<>(), new ArrayList<>());
    for (String table : List.of("net/tcp", "net/tcp6")) { // of the process's network namespace
      Path lines = process.resolve(table);
      for (String line : Files.exists(lines) ? Files.readAllLines(lines) : List.<String>of()) {
        String[] fields = line.strip().split("\\s+", -1);
        if (fields.length < 10 || !own.contains("socket:[" + fields[9] + "]")) {
          continue;
        }
        Socket socket = new Socket(address(fields[1]), port(fields[1]), port(fields[2]));
        if (fields[3].equals(LISTENS)) {
          result.listening.add(socket);
        } else if (fields[3].equals(ESTABLISHED)) {
          result.connected.add(socket);
        }
      }
    }
    return result;
  }

  private static int port(String endpoint) {
    return Integer.parseInt(endpoint.substring(endpoint.indexOf(':') + 1), 16);
  }

  /** Words of four bytes in the order of the CPU. */
  private static InetAddress address(String endpoint) throws IOException {
    String hex = endpoint.substring(0, endpoint.indexOf(':'));
    byte[] bytes = new byte[hex.length() / 2];
    for (int i = 0; i < bytes.length; i++) {
      int at = i / 4 * 4 + 3 - i % 4;
      bytes[i] = (byte) Integer.parseInt(hex.substring(2 * at, 2 * at + 2), 16);
    }
    return InetAddress.getByAddress(bytes);
  }
}
