/**
 * What runs in executors: claiming cores, forking and feeding ranks, serving PMI, moving files; and
 * the channel to the driver.
 */
package org.glmtuner.executor;
