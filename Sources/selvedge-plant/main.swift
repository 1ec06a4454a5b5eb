print("plant")
