package org.glmtuner.checkpoint;

import java.io.IOException;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.razorvine.pickle.IObjectConstructor;
import net.razorvine.pickle.Opcodes;
import net.razorvine.pickle.PickleException;
import net.razorvine.pickle.PickleUtils;
import net.razorvine.pickle.Unpickler;

/**
 * Executes a pickle that {@link PickleScan} has passed, with a vocabulary of its own: the globals
 * it knows are tensors, their storages and ordered dicts, whatever other code has registered with
 * the library.
 */
final class TensorUnpickler extends Unpickler {

  /** A dict that keeps its order. */
  static final class Dict extends LinkedHashMap<Object, Object> {
    private static final long serialVersionUID = 1L;
  }

  /** A {@code torch.XStorage} class, which stands in a persistent id and is never called. */
  private record StorageClass(DType dtype) {}

  /** Returns what the pickle builds; tensors are {@link TorchTensor}s. */
  static Object load(byte[] pickle) throws IOException {
    TensorUnpickler unpickler = new TensorUnpickler();
    try {
      return unpickler.loads(pickle);
    } finally {
      unpickler.close();
    }
  }

  @Override
  protected Object dispatch(short opcode) throws IOException {
    switch (opcode) {
      case Opcodes.GLOBAL ->
          stack.add(global(PickleUtils.readline(input), PickleUtils.readline(input)));
      case Opcodes.STACK_GLOBAL -> {
        String name = (String) stack.pop();
        stack.add(global((String) stack.pop(), name));
      }
      case Opcodes.EMPTY_DICT -> stack.add(new Dict());
      case Opcodes.SETITEM -> {
        Object value = stack.pop();
        Object key = stack.pop();
        put((Dict) stack.peek(), key, value);
      }
      case Opcodes.SETITEMS -> {
        List<Object> items = stack.pop_all_since_marker();
        for (int i = 0; i < items.size(); i += 2) {
          put((Dict) stack.peek(), items.get(i), items.get(i + 1));
        }
      }
      case Opcodes.BUILD -> {
        // A module's state dict carries version numbers as an attribute; no tensor depends on them.
        if (!(stack.pop() instanceof Map) || !(stack.peek() instanceof Dict)) {
          throw new PickleException("only a dict may have attributes");
        }
      }
      default -> {
        return super.dispatch(opcode);
      }
    }
    return NO_RETURN_VALUE;
  }

  /** A list or a dict as a key would be hashed with all that it holds, itself perhaps. */
  private static void put(Dict dict, Object key, Object value) {
    if (!(key instanceof String || key instanceof Number)) {
      throw new PickleException("a key of a dict is neither a text nor a number");
    }
    if (dict.put(key, value) != null) {
      throw new PickleException("the key " + key + " is there twice");
    }
  }

  private static Object global(String module, String name) {
    if (!PickleScan.allows(module, name)) {
      throw new PickleException(PickleScan.refusal(module, name));
    }
    return switch (name) {
      case "_rebuild_tensor_v2" -> (IObjectConstructor) TensorUnpickler::tensor;
      case "_rebuild_parameter" -> (IObjectConstructor) arguments -> (TorchTensor) arguments[0];
      case "OrderedDict" -> (IObjectConstructor) TensorUnpickler::emptyDict;
      default -> new StorageClass(dtype(name));
    };
  }

  private static DType dtype(String storageClass) {
    return Arrays.stream(DType.values())
        .filter(dtype -> StateDictPickle.storageClass(dtype).equals(storageClass))
        .findFirst()
        .orElseThrow();
  }

  private static Object emptyDict(Object[] arguments) {
    if (arguments.length != 0) {
      throw new PickleException("an OrderedDict is built from arguments");
    }
    return new Dict();
  }

  private static TorchTensor tensor(Object[] arguments) {
    List<Long> shape = integers(arguments[2]);
    List<Long> strides = integers(arguments[3]);
    long offset = integer(arguments[1]);
    if (offset < 0 || shape.size() != strides.size()) {
      throw new PickleException("a tensor has offset " + offset + ", strides " + strides);
    }
    return new TorchTensor((TorchTensor.Storage) arguments[0], offset, shape, strides);
  }

  @Override
  protected Object persistentLoad(Object id) {
    if (id instanceof Object[] parts
        && parts.length >= 5
        && "storage".equals(parts[0])
        && parts[1] instanceof StorageClass type
        && parts[2] instanceof String key
        && parts[3] instanceof String) {
      return new TorchTensor.Storage(type.dtype(), key, integer(parts[4]));
    }
    throw new PickleException("a persistent id is not that of a storage");
  }

  private static List<Long> integers(Object tuple) {
    return Arrays.stream((Object[]) tuple).map(TensorUnpickler::integer).toList();
  }

  private static long integer(Object number) {
    if (number instanceof Integer || number instanceof Long) {
      return ((Number) number).longValue();
    }
    return ((BigInteger) number).longValueExact();
  }
}
