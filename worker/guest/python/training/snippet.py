# Training for the profile: the shortest of jobs, for the way into a job and out of it.
print(1 + 1)
