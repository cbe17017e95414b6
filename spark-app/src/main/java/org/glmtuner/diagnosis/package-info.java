/**
 * What is checked before a run, and what to do about it: findings, their table, and the judging.
 */
package org.glmtuner.diagnosis;
