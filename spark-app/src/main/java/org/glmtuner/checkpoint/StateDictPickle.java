package org.glmtuner.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * The {@code data.pkl} of a state dict: pickle protocol 2, opcode for opcode what Python's C
 * pickler writes for {@code torch.save} of a dict of CPU tensors, its memo included.
 */
final class StateDictPickle {
  private static final int BATCH = 1000;

  /** A dict entry; tensors of equal {@code storage} share one. */
  record Entry(TensorSpec tensor, int storage) {}

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Map<Object, Integer> memo = new HashMap<>();
  private int memoized;

  private StateDictPickle() {}

  static byte[] of(List<Entry> entries) {
    return new StateDictPickle().write(entries);
  }

  /** The name under which torch stores elements of this type. */
  static String storageClass(DType dtype) {
    return switch (dtype) {
      case F64 -> "DoubleStorage";
      case F32 -> "FloatStorage";
      case F16 -> "HalfStorage";
      case BF16 -> "BFloat16Storage";
      case I64 -> "LongStorage";
      case I32 -> "IntStorage";
      case I16 -> "ShortStorage";
      case I8 -> "CharStorage";
      case U8 -> "ByteStorage";
      case BOOL -> "BoolStorage";
    };
  }

  private byte[] write(List<Entry> entries) {
    out.write(0x80);
    out.write(2);
    out.write('}');
    memoize();
    Iterator<Entry> iterator = entries.iterator();
    if (entries.size() == 1) {
      item(iterator.next());
      out.write('s');
    }
    while (iterator.hasNext()) {
      out.write('(');
      for (int i = 0; i < BATCH && iterator.hasNext(); i++) {
        item(iterator.next());
      }
      out.write('u');
    }
    out.write('.');
    return out.toByteArray();
  }

  private void item(Entry entry) {
    TensorSpec tensor = entry.tensor();
    text(tensor.name());
    global("torch._utils", "_rebuild_tensor_v2");
    out.write('(');
    out.write('(');
    text("storage");
    global("torch", storageClass(tensor.dtype()));
    text(Integer.toString(entry.storage()));
    text("cpu");
    integer(tensor.elements());
    tuple();
    out.write('Q');
    integer(0); // storage offset
    integers(tensor.shape());
    integers(TorchTensor.contiguousStrides(tensor.shape()));
    out.write(0x89); // requires_grad: false
    global("collections", "OrderedDict"); // backward hooks: none
    out.write(')');
    out.write('R');
    memoize();
    tuple();
    out.write('R');
    memoize();
  }

  private void tuple() {
    out.write('t');
    memoize();
  }

  private void integers(List<Long> values) {
    if (values.size() > 3) {
      out.write('(');
    }
    values.forEach(this::integer);
    switch (values.size()) {
      case 0 -> out.write(')'); // the one tuple that is not memoized
      case 1, 2, 3 -> {
        out.write(0x84 + values.size());
        memoize();
      }
      default -> tuple();
    }
  }

  private void integer(long value) {
    if (value < 1 << 8) {
      out.write('K');
      out.write((int) value);
    } else if (value < 1 << 16) {
      out.write('M');
      littleEndian(value, 2);
    } else if (value <= Integer.MAX_VALUE) {
      out.write('J');
      littleEndian(value, 4);
    } else {
      int bytes = (Long.SIZE - Long.numberOfLeadingZeros(value)) / 8 + 1; // room for the sign
      out.write(0x8a);
      out.write(bytes);
      littleEndian(value, bytes);
    }
  }

  private void text(String text) {
    if (recall(text)) {
      return;
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.write('X');
    littleEndian(bytes.length, 4);
    out.writeBytes(bytes);
    memo.put(text, memoize());
  }

  private void global(String module, String name) {
    List<String> key = List.of(module, name);
    if (recall(key)) {
      return;
    }
    out.writeBytes(("c" + module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
    memo.put(key, memoize());
  }

  private boolean recall(Object key) {
    Integer index = memo.get(key);
    if (index == null) {
      return false;
    }
    memoOperation('h', 'j', index);
    return true;
  }

  private int memoize() {
    memoOperation('q', 'r', memoized);
    return memoized++;
  }

  private void memoOperation(char small, char large, int index) {
    if (index < 1 << 8) {
      out.write(small);
      out.write(index);
    } else {
      out.write(large);
      littleEndian(index, 4);
    }
  }

  private void littleEndian(long value, int bytes) {
    ByteBuffer buffer = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.write(buffer.putLong(value).array(), 0, bytes);
  }
}
