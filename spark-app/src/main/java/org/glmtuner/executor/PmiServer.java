package org.glmtuner.executor;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.net.SocketException;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Serves PMI-1, the wire protocol by which an MPI library finds its peers, to the one rank of a
 * task. Keys travel between tasks only at barriers, through {@link KeyExchange}. The protocol is
 * text: a line of {@code key=value} tokens, answered by one line.
 */
final class PmiServer {
  private static final int MOST_LINE_CHARACTERS = 8192;

  /**
   * Gives this rank's new keys to all ranks and returns those of all of them, once every rank has
   * come.
   */
  interface KeyExchange {
    Map<String, String> exchange(Map<String, String> puts) throws IOException, InterruptedException;
  }

  /**
   * What the library is told about the group.
   *
   * @param space name of the key space, unused before: leftovers of a killed group must not be
   *     found
   * @param processMapping {@link RankPlan#processMapping}
   */
  record Group(int size, String space, String processMapping) {}

  /** How the conversation ended. */
  enum End {
    FINALIZED,
    ABORTED,
    LOST
  }

  private final Group group;
  private final KeyExchange exchange;
  private final Map<String, String> known = new HashMap<>();
  private final Map<String, String> puts = new HashMap<>();
  private End end = End.LOST;

  PmiServer(Group group, KeyExchange exchange) {
    this.group = group;
    this.exchange = exchange;
  }

  /**
   * Answers until the rank closes the connection or aborts.
   *
   * @param onAbort ends the rank: libraries that have aborted may wait for it, or crash when the
   *     connection ends
   */
  End serve(SocketChannel connection, Runnable onAbort) throws IOException, InterruptedException {
    try (BufferedReader in =
            new BufferedReader(
                Channels.newReader(connection, StandardCharsets.US_ASCII), MOST_LINE_CHARACTERS);
        Writer out = Channels.newWriter(connection, StandardCharsets.US_ASCII)) {
      String line = read(in);
      while (line != null) {
        String answer = answer(line);
        if (answer == null) {
          onAbort.run();
          break;
        }
        line = write(out, answer) ? read(in) : null;
      }
    }
    return end;
  }

  /** Null where the rank is gone: one that leaves an answer unread resets the connection. */
  private static String read(BufferedReader in) throws IOException {
    try {
      return in.readLine();
    } catch (SocketException e) {
      return null;
    }
  }

  /** False where the rank is gone already: a library that finalises need not read the answer. */
  private static boolean write(Writer out, String answer) {
    try {
      out.write(answer + "\n");
      out.flush();
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** The answer to a line; null for an abort, which has none. */
  String answer(String line) throws IOException, InterruptedException {
    Map<String, String> fields = fields(line);
    String command = fields.getOrDefault("cmd", fields.getOrDefault("mcmd", ""));
    return switch (command) {
      case "init" -> "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0";
      // 512 is below every library's line buffer; longer values are split by the library
      case "get_maxes" -> "cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=512";
      case "get_appnum" -> "cmd=appnum appnum=0";
      case "get_my_kvsname" -> "cmd=my_kvsname kvsname=" + group.space();
      case "get_universe_size" -> "cmd=universe_size size=" + group.size();
      case "put" -> {
        puts.put(fields.get("key"), fields.get("value"));
        yield "cmd=put_result rc=0 msg=success";
      }
      case "get" -> get(fields.get("key"));
      case "barrier_in" -> {
        known.putAll(exchange.exchange(Map.copyOf(puts)));
        puts.clear();
        yield "cmd=barrier_out rc=0";
      }
      case "finalize" -> {
        end = End.FINALIZED;
        yield "cmd=finalize_ack rc=0";
      }
      case "abort" -> {
        end = End.ABORTED;
        yield null;
      }
      default ->
          "cmd="
              + command
              + "_result rc=1 msg=unsupported"; // publishing names and spawning: never needed
    };
  }

  private String get(String key) {
    String value = "PMI_process_mapping".equals(key) ? group.processMapping() : known.get(key);
    return value == null
        ? "cmd=get_result rc=-1 msg=key_" + key + "_not_found value=unknown"
        : "cmd=get_result rc=0 msg=success value=" + value;
  }

  /** Values may hold an equals sign: a token is split at its first. */
  private static Map<String, String> fields(String line) {
    Map<String, String> fields = new HashMap<>();
    for (String token : line.strip().split(" ", -1)) {
      int equals = token.indexOf('=');
      if (equals > 0) {
        fields.put(token.substring(0, equals), token.substring(equals + 1));
      }
    }
    return fields;
  }
}
