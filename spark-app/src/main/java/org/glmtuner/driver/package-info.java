/**
 * What decides: rows to samples, the schedule, one attempt after another, checkpoints, progress and
 * the result.
 */
package org.glmtuner.driver;
