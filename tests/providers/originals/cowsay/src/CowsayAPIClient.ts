import axios, { AxiosInstance } from 'axios';

export interface CowsayRequest {
  text: string;
  cow?: string;
}

export class CowsayAPIClient {
  private client: AxiosInstance;

  constructor(baseUrl: string) {
    this.client = axios.create({ baseURL: baseUrl, timeout: 30000 });
  }

  async say(request: CowsayRequest): Promise<string> {
    const response = await this.client.post('/cowsay', request);
    return response.data.cowsayOutput;
  }
}
