package org.glmtuner.driver;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.serializer.KryoRegistrator;
import org.glmtuner.data.CutSample;
import org.glmtuner.data.DataFingerprint;
import org.glmtuner.data.EvaluationRow;
import org.glmtuner.data.FileFormat;
import org.glmtuner.data.Sample;
import org.glmtuner.executor.Completion;
import org.glmtuner.executor.RankOutcome;
import org.glmtuner.executor.RowKey;
import org.glmtuner.executor.SampleLoss;
import org.glmtuner.generation.Prompt;

/** What our jobs shuffle, broadcast and collect, for Spark's Kryo, which does not know records. */
public final class KryoTypes implements KryoRegistrator {
  private static final List<Class<?>> RECORDS =
      List.of(
          Sample.class,
          RowKey.class,
          RankOutcome.class,
          Prompt.class,
          Completion.class,
          SampleLoss.class,
          SampleSchedule.Deal.class,
          RowFiles.Piece.class,
          RowFiles.Row.class,
          JudgedRow.class,
          CutSample.class,
          UnusedRow.class,
          RowCounts.class,
          EvaluationRow.class,
          DataFingerprint.class);

  @Override
  public void registerClasses(Kryo kryo) {
    for (Class<?> type : RECORDS) {
      kryo.register(type, new RecordSerializer<>(type));
      kryo.register(type.arrayType());
    }
    kryo.register(FileFormat.class);
  }

  /**
   * Writes a record's components in their order and reads them back through its canonical
   * constructor, which validates.
   */
  private static final class RecordSerializer<T> extends Serializer<T> {
    private final Method[] accessors;
    private final Constructor<T> constructor;

    RecordSerializer(Class<T> type) {
      super(false, true); // null is Kryo's business; records do not change
      RecordComponent[] components = type.getRecordComponents();
      try {
        accessors =
            Arrays.stream(components).map(RecordComponent::getAccessor).toArray(Method[]::new);
        constructor =
            type.getDeclaredConstructor(
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
      } catch (NoSuchMethodException e) {
        throw new IllegalArgumentException(
            "Invalid type: " + type + " (every record has its canonical constructor)", e);
      }
      for (Method accessor : accessors) {
        accessor.setAccessible(true);
      }
      constructor.setAccessible(true);
    }

    @Override
    public void write(Kryo kryo, Output output, T record) {
      for (Method accessor : accessors) {
        kryo.writeClassAndObject(output, invoke(() -> accessor.invoke(record)));
      }
    }

    @Override
    public T read(Kryo kryo, Input input, Class<T> type) {
      Object[] values = new Object[accessors.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = kryo.readClassAndObject(input);
      }
      return invoke(() -> constructor.newInstance(values));
    }

    private interface Reflective<R> {
      R call() throws ReflectiveOperationException;
    }

    private static <R> R invoke(Reflective<R> call) {
      try {
        return call.call();
      } catch (ReflectiveOperationException e) {
        throw new KryoException(e);
      }
    }
  }
}
