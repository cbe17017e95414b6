/** Real processes for integration tests: HDFS, spark-submit, and what they may leave behind. */
package org.glmtuner.cluster;
