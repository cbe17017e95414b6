package org.glmtuner.checkpoint;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Walks the opcodes of a pickle without executing any, and finds the first thing in it that has no
 * place in a dict of tensors.
 *
 * <p>A pickle is a program: its GLOBAL opcodes name functions that REDUCE calls. Only the functions
 * that rebuild tensors may be named; opcodes that call by other means are refused altogether.
 */
final class PickleScan {
  private static final Set<String> STORAGES =
      Set.of(
          "DoubleStorage",
          "FloatStorage",
          "HalfStorage",
          "BFloat16Storage",
          "LongStorage",
          "IntStorage",
          "ShortStorage",
          "CharStorage",
          "ByteStorage",
          "BoolStorage");

  /** Thrown with the reason why a pickle must not be loaded. */
  static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    RefusedException(String reason) {
      super(reason);
    }
  }

  private final ByteBuffer pickle;
  private final Map<Integer, String> memo = new HashMap<>();
  private String last = "";
  private String lastButOne = "";

  private PickleScan(byte[] pickle) {
    this.pickle = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Whether the function or class may be named in a pickle of tensors. */
  static boolean allows(String module, String name) {
    return switch (module) {
      case "torch._utils" -> name.equals("_rebuild_tensor_v2") || name.equals("_rebuild_parameter");
      case "torch" -> STORAGES.contains(name);
      case "collections" -> name.equals("OrderedDict");
      default -> false;
    };
  }

  static String refusal(String module, String name) {
    return "it would run " + module + "." + name + " (only tensors are allowed in a checkpoint)";
  }

  /** Returns if the whole pickle is nothing but tensors in containers. */
  static void check(byte[] pickle) throws RefusedException {
    PickleScan scan = new PickleScan(pickle);
    try {
      while (scan.step()) {
        // the step has checked the opcode
      }
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new RefusedException("its pickle ends in the middle");
    }
    if (scan.pickle.hasRemaining()) {
      throw new RefusedException("there are bytes behind its pickle");
    }
  }

  private boolean step() throws RefusedException {
    int opcode = pickle.get() & 0xff;
    switch (opcode) {
      case '.' -> {
        return false;
      }
      case 'c' -> global(line(), line());
      case 0x93 -> global(lastButOne, last);
      case 'i' -> throw new RefusedException(refusal(line(), line()));
      case 'X' -> push(text(pickle.getInt() & 0xffffffffL));
      case 0x8c -> push(text(pickle.get() & 0xff));
      case 0x8d -> push(text(pickle.getLong()));
      case 'q' -> memo.put(pickle.get() & 0xff, last);
      case 'r' -> memo.put(pickle.getInt(), last);
      case 0x94 -> memo.put(memo.size(), last);
      case 'h' -> push(memo.getOrDefault(pickle.get() & 0xff, ""));
      case 'j' -> push(memo.getOrDefault(pickle.getInt(), ""));
      case 0x80, 'K' -> push(1);
      case 'M' -> push(2);
      case 'J' -> push(4);
      case 'G', 0x95 -> push(8);
      case 0x8a -> push(pickle.get() & 0xff);
      // MARK, tuples, lists, dicts, None, true, false
      case '(', 't', ')', 0x85, 0x86, 0x87, ']', 'a', 'e', '}', 's', 'u', 'N', 0x88, 0x89 ->
          push(0);
      // REDUCE, BUILD, BINPERSID: what they act on was named by an opcode checked before
      case 'R', 'b', 'Q' -> push(0);
      default ->
          throw new RefusedException(
              String.format(
                  "its pickle uses the opcode 0x%02x (only tensors are allowed in a checkpoint)",
                  opcode));
    }
    return true;
  }

  private void global(String module, String name) throws RefusedException {
    if (!allows(module, name)) {
      throw new RefusedException(refusal(module, name));
    }
    push(0);
  }

  /** Skips the bytes of a value that is not a text. */
  private void push(int bytes) {
    pickle.position(pickle.position() + bytes);
    push("");
  }

  private void push(String text) {
    lastButOne = last;
    last = text;
  }

  private String text(long bytes) {
    if (bytes < 0 || bytes > pickle.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] text = new byte[(int) bytes];
    pickle.get(text);
    return new String(text, StandardCharsets.UTF_8);
  }

  private String line() {
    int start = pickle.position();
    while (pickle.get() != '\n') {
      // to the line's end
    }
    return new String(pickle.array(), start, pickle.position() - 1 - start, StandardCharsets.UTF_8);
  }
}
