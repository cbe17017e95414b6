package org.glmtuner.driver;

import java.util.Arrays;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;

/**
 * How many tasks of the jobs with a tag run now. Spark's status tracker does not tell in time: it
 * leaves out what happens within a tenth of a second of the event before, until the next one.
 */
final class TaskCount extends SparkListener {
  private static final String TAGS = "spark.job.tags";

  private final String tag;
  private final Set<Integer> stages = ConcurrentHashMap.newKeySet();
  private final AtomicInteger running = new AtomicInteger();

  TaskCount(String tag) {
    this.tag = tag;
  }

  int running() {
    return running.get();
  }

  @Override
  public void onStageSubmitted(SparkListenerStageSubmitted event) {
    Properties properties = event.properties();
    if (properties != null
        && Arrays.asList(properties.getProperty(TAGS, "").split(",", -1)).contains(tag)) {
      stages.add(event.stageInfo().stageId());
    }
  }

  @Override
  public void onTaskStart(SparkListenerTaskStart event) {
    if (stages.contains(event.stageId())) {
      running.incrementAndGet();
    }
  }

  @Override
  public void onTaskEnd(SparkListenerTaskEnd event) {
    if (stages.contains(event.stageId())) {
      running.decrementAndGet();
    }
  }
}
